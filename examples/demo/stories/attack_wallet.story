# Malware has the phone. The band is all that its wearer can trust.

title "Attack: infected phones"
open "Tea House"
open "Eve's Shop"
enter Mei with a band and 200 CNY
enter Lin with a band with a display and 200 CNY
Mei: set up
Lin: set up
hide messages
Mei: get infected
Lin: get infected

chapter "The phones show 4.00 CNY and ask the bands for 40.00 CNY"
"Tea House": sell 4 CNY for "tea"
Mei: be shown "Tea House" and asked for 40 CNY
stopped by section 13 "pay another amount than the one that was asked for"
say "Lin's band has a display: it verifies before it shows."
Lin: be shown "Tea House" and asked for 40 CNY
stopped by section 11 "what does not verify is declined and not shown"
expect books Mei 200 CNY, Lin 200 CNY, "Tea House" 0 CNY

chapter "The phones show the Tea House and ask the bands to pay somebody else"
"Eve's Shop": sell 45 CNY for "nothing"
Lin: be shown "Tea House" and asked for "Eve's Shop"
stopped by section 11 "shows the certified name (or that it is a person) and the amount before it waits"
say "Mei's band shows amounts, and no names:"
Mei: be shown "Tea House" and asked for "Eve's Shop"
not stopped by section 13 "put another payee's valid request in the place of the one that the wearer means, within the press limit, for the press that the wearer makes"
expect books Mei 155 CNY, Lin 200 CNY, "Tea House" 0 CNY, "Eve's Shop" 45 CNY
say "Above the press limit, of 50.00 CNY here, a press alone is not enough:"
"Eve's Shop": sell 90 CNY for "much of nothing"
Mei: be shown "Tea House" and asked for "Eve's Shop"
stopped by section 14 "an infected wallet swaps the request"
expect books Mei 155 CNY, Lin 200 CNY, "Tea House" 0 CNY, "Eve's Shop" 45 CNY

chapter "Mei's phone asks for two payments, for one press"
"Eve's Shop": sell 3 CNY for "nothing"
Mei: press once for "Tea House" and "Eve's Shop"
stopped by section 11 "One gesture answers one request"
expect books Mei 151 CNY, "Tea House" 4 CNY, "Eve's Shop" 45 CNY

chapter "Mei's phone sends a token that was spent"
Mei: pay 4 CNY to "Tea House" for "more tea"
Mei: press
expect settled
"Tea House": sell 4 CNY for "even more tea"
Mei: have the last token sent to "Tea House"
stopped by section 11 "both agree on digest, amount, currency and payee"
expect books Mei 147 CNY, "Tea House" 8 CNY, "Eve's Shop" 45 CNY

chapter "Mei's phone wants to be paid for nothing that Mei does"
Mei: do nothing for "Tea House"
stopped by section 11 "Each of paying, receiving, unlocking, unpairing, pairing and resetting has a gesture of its own"
"Eve's Shop": sell 90 CNY for "much of nothing"
Mei: press alone for "Eve's Shop"
stopped by section 11 "is never the fresh unlock that a large amount needs"
Mei: pay 250 CNY to "Tea House" for "the whole shop"
expect refused "the amount is above the limit" tell "Above what the credential allows: {}."
stopped by section 11 "above each | declined"
Mei: be brought another root
stopped by section 14 "the wallet supplies its own issuer key"

chapter "Mei has taken the band off"
Mei: take off
wait 3 s
"Tea House": sell 4 CNY for "tea"
Mei: not wear it for "Tea House"
stopped by section 11 "Off the wrist it signs nothing, and after 2 s off the wrist it is locked"

chapter "Mei has her band forget the phone"
Mei: unpair and be called
stopped by section 9 "credential and payment key are erased first, the link last"
expect books Mei 147 CNY, Lin 200 CNY, "Tea House" 8 CNY, "Eve's Shop" 45 CNY
issuer: audit
