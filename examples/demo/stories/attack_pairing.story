# A man in the middle while a phone and a band pair.

title "Attack: a man in the middle of a pairing"
enter Mei with a band and 50 CNY
enter Eve as a man in the middle

chapter "Eve is a band for the phone, and a phone for the band"
say "Mei holds the band's button. Her phone finds Eve where it looks for the band."
Eve: pair with Mei's phone and band
stopped by section 9 "The code is H(\"sas\", h2, wallet's static key, n)"
stopped by section 14 "impersonating band or app, standing in the middle (BreakMi)"
say "Eve said yes on both sides, and nothing was stored on either:"
Mei: connect
expect refused "this phone is not paired" tell "The phone: {}."

chapter "Eve changes what the two say, one part in each pairing"
Eve: change Mei's pairing
stopped by section 4 "Whoever changes a range or a kind on the way changes the prologue, and no message after that verifies"
stopped by section 9 "The band recomputes c with the static key that message 3 carried; else it ends the connection"
stopped by section 9 "the first message 1 uses it up"
stopped by section 14 "pairing again and again on one gesture until codes match"

chapter "Without Eve"
Mei: pair by code
Mei: connect
expect reconnected
