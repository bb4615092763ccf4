# Pairing by a press alone: what it refuses to those who can do better, and what it gives.

title "Attack: pairing by a press alone"
open "Tea House"
enter Mei with a band and 50 CNY
enter Lin with a band with a display and 50 CNY
enter Bo with a band with a button and 50 CNY
enter Eve with a band and 10 CNY

chapter "A band that can show a code is asked to pair by a press"
say "Mei holds the button to pair her own phone. Eve's phone is there first, and wants no code:"
Eve: go near Mei's band
Eve: pair by press
expect refused tell "Eve's phone: {}. The window is closed, visibly."
stopped by section 14 "press-only with the band, numeric with the wallet"
Eve: go near Lin's band
Eve: pair by press
expect refused tell "Lin's band, which has a display: {}."
say "Mei holds the button once more, and nobody else is there:"
Mei: pair by code
Mei: connect
expect reconnected

chapter "A band that has a button and nothing else"
say "Bo holds the button. Eve's phone is there first:"
Eve: go near Bo's band
Eve: pair by press
expect done tell "Eve's phone is paired with Bo's band."
not stopped by section 9 "Nothing is compared: whoever is first has the link"
Eve: connect
expect reconnected
Eve: enrol
expect refused "the issuer refused the enrolment" tell "She wants a credential over that link: {}."
stopped by section 10 "By default a link made by a press alone gets none"
Eve: pay 5 CNY to "Tea House" for "tea"
expect refused "no credential" tell "There is nothing to pay with: {}."
Eve: hang up
say "Bo's own phone pairs after another press, and gets no credential over such a link either:"
Bo: pair by press
Bo: connect
Bo: enrol
expect refused "the issuer refused the enrolment" tell "{}: who wants to pay buys a band that shows something, or has a label."
expect books Mei 50 CNY, Lin 50 CNY, Bo 50 CNY, Eve 10 CNY
