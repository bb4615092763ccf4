title "Taps unlock the band, and wrong ones are counted"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
take off
wait 3 s
put on
pay 5 CNY to "Tea House" for "tea"
expect refused "locked"
unlock wrongly
expect refused "7 tries are left"
unlock wrongly
expect refused "6 tries are left"
unlock
go on
press
expect settled

say "Somebody else tries until there is nothing left to try:"
take off
wait 3 s
put on
unlock wrongly
expect refused "7 tries"
unlock wrongly
expect refused "6 tries"
unlock wrongly
expect refused "5 tries"
unlock wrongly
expect refused "4 tries"
unlock wrongly
expect refused "3 tries"
unlock wrongly
expect refused "2 tries"
unlock wrongly
expect refused "1 tries"
unlock wrongly
expect refused "0 tries"
unlock
expect refused "0 tries" tell "Now the right pattern does not open it either: {}."
pay 5 CNY to "Tea House" for "more tea"
expect refused "locked"
