title "A shop without network refuses what it heard to be revoked"
open "Tea House"
enter Lin with a band and 50 CNY
Lin: set up
issuer: replace Lin's band
"Tea House": fetch the lists
expect done "1 revoked"
go offline
Lin: pay 5 CNY to "Tea House" for "tea"
press
expect refused "revoked"
expect books Lin 50 CNY, "Tea House" 0 CNY
