title "The issuer's keys are replaced while everybody goes on"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
pay 5 CNY to "Tea House" for "tea"
press
expect settled "key 1"
issuer: announce new keys
Mei: update the keys
expect done "key list 2"
"Tea House": fetch the lists
expect done "key list 2"
Mei: tell the first keys
expect refused "not valid"
issuer: use the new keys
Mei: pay 5 CNY to "Tea House" for "more tea"
press
expect settled "key 3"
check the receipts
expect done "2 receipts verify"
"Tea House": redeem "tea" again
expect the receipt of "tea"
expect books Mei 40 CNY, "Tea House" 10 CNY
