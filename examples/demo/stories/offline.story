title "A shop without network takes a token on trust, and redeems it later"
open "Tea House"
enter Mei with a band and 200 CNY
Mei: set up
"Tea House": fetch the lists
go offline
Mei: pay 15 CNY to "Tea House" for "mooncakes"
press
expect pending "15.00 CNY"
go on
expect pending "15.00 CNY" tell "Asked again, it is pending still."
expect books Mei 200 CNY, "Tea House" 0 CNY
"Tea House": redeem what is pending
expect refused "no network"
wait 2 h
go online
redeem what is pending
expect done "1 redeemed"
Mei: go on
expect settled
expect books Mei 185 CNY, "Tea House" 15 CNY

say "Without network the shop risks 50.00 CNY at once, and no more:"
"Tea House": go offline
Mei: pay 60 CNY to "Tea House" for "a teapot"
unlock
press
expect refused tell "The shop, on its own: {}."
expect books Mei 185 CNY, "Tea House" 15 CNY
