title "Off the wrist nothing is signed"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
pay 5 CNY to "Tea House" for "tea"
say "The band slips off while it waits:"
take off
press
expect refused "not worn"
put on
say "It was back in a moment, and is not locked:"
pay 5 CNY to "Tea House" for "tea, again"
press
expect settled
take off
wait 3 s
put on
pay 5 CNY to "Tea House" for "more tea"
expect refused "locked" tell "After three seconds it is: {}."
expect books Mei 45 CNY, "Tea House" 5 CNY
