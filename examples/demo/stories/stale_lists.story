title "A shop without network does not trust old lists"
open "Tea House"
enter Mei with a band and 200 CNY
Mei: set up
"Tea House": fetch the lists
go offline
wait 2 days
Mei: put on
unlock
pay 15 CNY to "Tea House" for "mooncakes"
press
expect refused tell "Its lists are two days old: {}."
"Tea House": go online
Mei: go on
expect settled tell "With network, the same token settles."
expect books Mei 185 CNY, "Tea House" 15 CNY
