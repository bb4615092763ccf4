title "A token that is sent again moves no money again"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
pay 12.50 CNY to "Tea House" for "tea"
press
expect settled
"Tea House": redeem "tea" again
expect the receipt of "tea"
wait 2 h
redeem "tea" again
expect the receipt of "tea" tell "Two hours later as well."
Mei: go on
expect the receipt of "tea"
expect books Mei 37.50 CNY, "Tea House" 12.50 CNY
issuer: audit
