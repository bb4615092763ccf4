title "One account, two bands"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
pay 5 CNY to "Tea House" for "tea"
press
expect settled
take a new band with a display
set up
pay 6 CNY to "Tea House" for "more tea"
expect waiting "Tea House, \"more tea\""
press
expect settled
take the other band
connect
expect reconnected tell "The phone keeps a link for each."
pay 7 CNY to "Tea House" for "still more tea"
press
expect settled
expect books Mei 32 CNY, "Tea House" 18 CNY

say "One of them is lost; the other one goes on:"
issuer: replace Mei's band
Mei: pay 1 CNY to "Tea House" for "a straw"
press
expect refused "frozen"
take the other band
connect
pay 1 CNY to "Tea House" for "a straw"
press
expect settled
expect books Mei 31 CNY, "Tea House" 19 CNY
issuer: audit
