title "Pairing again puts a new link in the old one's place"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
pay 5 CNY to "Tea House" for "tea"
press
expect settled
say "Somebody has copied what is on Mei's phone. She pairs anew, and need not enrol anew:"
enter thief with a copy of Mei's phone
Mei: ask to pair again
expect waiting "pairing gesture"
hold
pair in the window

chapter "Until she connects, the old link works"
say "The new link is stored, and nobody has used it yet. A copy of the old one is let in still:"
thief: connect
expect reconnected
hang up

chapter "Once she has connected, it does not"
Mei: connect
expect reconnected
hang up
thief: connect
expect refused tell "The copy: {}."
Mei: connect
expect reconnected
pay 6 CNY to "Tea House" for "more tea"
press
expect settled tell "What was enrolled over the old link is the new one's: {}."
expect books Mei 39 CNY, "Tea House" 11 CNY
