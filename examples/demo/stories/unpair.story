title "A band forgets a phone"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
unpair
expect waiting
press
say "A press is not enough: that pays, and deletes nothing."
press three times
connect
expect refused "not paired"
pair by code
connect
expect reconnected
pay 5 CNY to "Tea House" for "tea"
expect refused "no credential" tell "What was enrolled over the old link is gone: {}."
enrol
pay 5 CNY to "Tea House" for "tea"
press
expect settled
expect books Mei 45 CNY, "Tea House" 5 CNY
