title "Mei buys tea"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up                                # pair, connect, enrol, put on, unlock

Mei: pay 12.50 CNY to "Tea House" for "tea for two"
press
expect settled
expect books Mei 37.50 CNY, "Tea House" 12.50 CNY

take off
pay 10 CNY to "Tea House"
expect refused "not worn"
