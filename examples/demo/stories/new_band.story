title "A lost band is replaced, and the account stays"
open "Tea House"
enter Lin with a band and 50 CNY
Lin: set up
hang up
issuer: replace Lin's band
say "The old band is found again, and still wants to pay:"
Lin: connect
pay 5 CNY to "Tea House" for "tea"
press
expect refused "frozen" tell "The issuer: {}."
take a new band
pair by code
connect
enrol
put on
unlock
pay 5 CNY to "Tea House" for "tea"
press
expect settled
expect books Lin 45 CNY, "Tea House" 5 CNY
