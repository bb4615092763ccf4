title "A copy of a phone is seen when its owner comes back"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
hang up
enter thief with a copy of Mei's phone
say "The thief comes near while Mei's own phone is out of reach:"
thief: connect
expect reconnected tell "The copy is as good as the original: the band lets it in."
pay 9 CNY to "Tea House" for "cigarettes"
expect waiting tell "And still nothing is paid without Mei's press."
not stopped by section 13 "connects as the phone does; both sides are told at the next honest reconnect, by the generation"
wait 31 s
hang up
Mei: connect
expect used elsewhere tell "Mei's phone says: somebody else has used this link."
stopped by section 5 "somebody else has used this link, and both say so to their person"
unpair
press three times
pair by code
connect
expect reconnected
hang up
thief: connect
expect refused tell "After she paired anew, the copy is worth nothing: {}."
expect books Mei 50 CNY, "Tea House" 0 CNY
