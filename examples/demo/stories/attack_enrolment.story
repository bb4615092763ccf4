# Malware has a code of its victim's, and no band.

title "Attack: malware enrols itself"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: pair by code
Mei: connect

chapter "Malware enrols a key of its own with Mei's code"
Mei: have malware enrolled
stopped by section 10 "The user confirms them there, outside the wallet"
say "It has a finger of its own, and pays:"
Mei: unlock
Mei: pay 5 CNY to "Tea House" for "tea"
Mei: press
expect refused "the credential has not been confirmed" tell "What it then signs: {}."
stopped by section 14 "malware enrols a software key with the user's code"
expect books Mei 50 CNY, "Tea House" 0 CNY
