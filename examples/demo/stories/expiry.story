title "A request is good for ten minutes"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
"Tea House": sell 5 CNY for "tea"
wait 11 min
Mei: pay "Tea House"
expect refused "expired" tell "Ten minutes later, on the phone: {}."

say "The shop sells it anew:"
pay 5 CNY to "Tea House" for "tea"
wait 15 s
press
expect settled
expect books Mei 45 CNY, "Tea House" 5 CNY
