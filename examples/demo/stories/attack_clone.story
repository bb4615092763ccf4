# A thief has a copy of all that a band and a phone keep.

title "Attack: a copied band"
open "Tea House"
enter Mei with a band and 100 CNY
Mei: set up
say "Mei's band and phone are at work while a thief copies what they have stored, keys and all:"
enter Thief with a copy of Mei's things

chapter "Both pay"
hide messages
Mei: pay 8 CNY to "Tea House" for "a bun"
Mei: press
expect settled
say "The copy signs with the same key and the same next counter. The thief has seen Mei tap her pattern:"
Thief: connect
Thief: put on
Thief: unlock
Thief: pay 9 CNY to "Tea House" for "cigarettes"
Thief: press
expect refused "cloned" tell "The copy's receipt: {}."
stopped by section 14 "a cloned band"
expect books Mei 92 CNY, "Tea House" 8 CNY

chapter "Mei's own band from now on"
Mei: pay 5 CNY to "Tea House" for "a biscuit"
Mei: press
expect refused "frozen" tell "{}. She enrols anew; her account stays."
not stopped by section 13 "then the credential is frozen, the real band's included; the account stays"
"Tea House": fetch the lists
expect done "1 revoked" tell "The shop hears of it: {}."
stopped by section 11 "Who is frozen, cloned, revoked or cancelled, and payees that were revoked, stand in the list"
expect books Mei 92 CNY, "Tea House" 8 CNY
issuer: audit
