# A man in the middle of an enrolment; then malware, which has a code of its victim's, and no band.

title "Attack: an enrolment is changed on its way, and malware enrols itself"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: pair by code
Mei: connect

enter Eve as a man in the middle
hide messages

chapter "Eve stands between the phone and the issuer, and changes what band and issuer say"
Eve: change Mei's enrolment
stopped by section 10 "The band verifies the key list with its pinned root"
stopped by section 10 "the wallet relays and cannot read"
say "With the same code, and nobody between them:"
Mei: enrol
expect done
stopped by section 10 "The same code with the same key gets the same credential"

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
