title "An account holds less than is to be paid"
open "Tea House"
enter Mei with a band and 10 CNY
Mei: set up
pay 10.01 CNY to "Tea House"
press
expect refused tell "The issuer: {}."
expect books Mei 10 CNY, "Tea House" 0 CNY
pay 10 CNY to "Tea House" for "tea"
press
expect settled
expect books Mei 0 CNY, "Tea House" 10 CNY
