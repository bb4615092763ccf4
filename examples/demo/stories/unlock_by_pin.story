title "A PIN unlocks the band, and its tries run out"
open "Tea House"
enter Mei with a band and 100 CNY
Mei: pair by code
connect
enrol
put on
unlock by PIN
pay 51 CNY to "Tea House" for "a teapot"
expect waiting "unlocked"
unlock by PIN
press
expect settled tell "More than a press alone may pay: {}."

unlock
expect refused "no secret of this kind" tell "A band is unlocked in one way, and taps are not Mei's: {}."

say "Somebody else guesses:"
take off
wait 3 s
put on
unlock by a wrong PIN
expect refused "7 tries are left"
unlock by PIN
unlock by a wrong PIN
expect refused "7 tries are left" tell "The right one gave all tries back: {}."
unlock by a wrong PIN
expect refused "6 tries are left"
kill the band
start the band
connect
put on
unlock by a wrong PIN
expect refused "5 tries are left" tell "A power cut gives none back: {}."
unlock by a wrong PIN
expect refused "4 tries"
unlock by a wrong PIN
expect refused "3 tries"
unlock by a wrong PIN
expect refused "2 tries"
unlock by a wrong PIN
expect refused "1 tries"
unlock by a wrong PIN
expect refused "0 tries"
unlock by PIN
expect refused "0 tries" tell "Now the right PIN does not open it either: {}."
pay 5 CNY to "Tea House" for "tea"
expect refused "locked"

say "A reset erases all, the PIN with it:"
reset
pair by code
connect
enrol
unlock by PIN
pay 5 CNY to "Tea House" for "tea"
press
expect settled
expect books Mei 44 CNY, "Tea House" 56 CNY
