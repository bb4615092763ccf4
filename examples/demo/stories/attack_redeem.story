# A man in the middle between a shop and the issuer.

title "Attack: a man in the middle between a shop and the issuer"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
enter Eve as a man in the middle
hide messages

chapter "Eve redeems a token again"
"Tea House": sell 10 CNY for "a scone"
Eve: redeem twice what Mei pays "Tea House"
stopped by section 11 "the same body gets the same receipt, byte for byte"
expect books Mei 40 CNY, "Tea House" 10 CNY

chapter "Eve changes what the shop redeems, and what the issuer answers"
"Tea House": sell 10 CNY for "another scone"
Eve: change what "Tea House" redeems of Mei
stopped by section 11 "What does not verify is refused (Refused), recorded nowhere and freezes nothing"
stopped by section 12 "The issuer's ledger answers only after its transaction is durable"
stopped by section 14 "somebody's credential frozen by garbage"
expect books Mei 30 CNY, "Tea House" 20 CNY
issuer: audit
