title "A band that is reset knows nobody"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
reset
connect
expect refused
pair by code
connect
put on
unlock
enrol
pay 5 CNY to "Tea House" for "tea"
press
expect settled
expect books Mei 45 CNY, "Tea House" 5 CNY
