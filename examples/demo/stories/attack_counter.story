# A man in the middle between a wallet and a shop.

title "Attack: a man in the middle between a wallet and a shop"
open "Tea House"
open "Tee House"
enter Mei with a band and 100 CNY
Mei: set up
enter Eve as a man in the middle
hide messages

chapter "Eve listens"
"Tea House": sell 10 CNY for "a scone"
Eve: overhear Mei at "Tea House"
not stopped by section 7 "where they must be private, TLS beneath them sees to it"

chapter "Eve changes what the shop asks"
"Tea House": sell 10 CNY for "another scone"
Eve: change what Mei is asked at "Tea House"
stopped by section 8 "What is verified are the bytes received"
stopped by section 14 "an identifier taken for proof (the band and wallet of 2015)"

chapter "Eve puts the request of a shop with a similar name in its place"
"Tee House": sell 45 CNY for "a scone"
Eve: show Mei at "Tea House" the request of "Tee House"
say "The issuer certified that name, and it is what the phone shows: a person has to read it."
stopped by section 13 "pay another amount than the one that was asked for"

chapter "Eve changes the token"
Eve: change Mei's token for "Tea House"
stopped by section 11 "both agree on digest, amount, currency and payee"
stopped by section 14 "EMV Express Transit: relay with a changed mode (2021)"
stopped by section 14 "somebody's credential frozen by garbage"
expect books Mei 80 CNY, "Tea House" 20 CNY, "Tee House" 0 CNY

chapter "Eve changes the receipt, and puts an earlier one, and an earlier token, in their places"
"Tea House": sell 10 CNY for "a third scone"
Eve: change Mei's receipt from "Tea House"
stopped by section 11 "What verifies gets one receipt for good; the same body gets the same receipt, byte for byte"
stopped by section 14 "a payment asked for twice after a lost answer"
expect books Mei 70 CNY, "Tea House" 30 CNY, "Tee House" 0 CNY
issuer: audit
