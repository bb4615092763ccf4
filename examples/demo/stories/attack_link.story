# A man in the middle between a phone and its band, which have paired.

title "Attack: a man in the middle between a phone and its band"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
enter Eve as a man in the middle
hide messages

chapter "Eve hands on what phone and band say, and listens"
"Tea House": sell 12.50 CNY for "tea for two"
Eve: overhear Mei pay "Tea House"
stopped by section 6 "Noise transport messages with empty associated data, one key for each direction"
say "That the payment went through is no gain of hers: the wearer pressed, for this amount."
not stopped by section 14 "relay of the radio (NCC Group 2022)"
expect books Mei 37.50 CNY, "Tea House" 12.50 CNY

chapter "Eve says it again"
Eve: replay it to Mei
stopped by section 4 "A hint that fits none ends the connection"
stopped by section 14 "a replayed hint finds a band again"

Eve: replay Mei's resuming
stopped by section 5 "Message 1 cannot be replayed on another connection: the band's b is in the prologue"
stopped by section 14 "a resume message replayed to put both out of step"

chapter "Eve changes each part of a reconnect"
Eve: change Mei's reconnect
stopped by section 4 "Whoever changes a range or a kind on the way changes the prologue, and no message after that verifies"
stopped by section 14 "version rollback"
stopped by section 5 "Lengths are checked before anything else; state changes only after a tag has verified"

chapter "Eve puts forged records before the real ones"
Eve: forge Mei's records
stopped by section 6 "A record that does not verify changes nothing but a count; the eighth in a row cuts the channel"
stopped by section 14 "a forged record moves the counter (snow GHSA-7g9j-g5jg-3vv3)"

chapter "Eve keeps messages, repeats them, swaps them, and sends them back"
Eve: disorder Mei's messages
stopped by section 6 "counters from 0"
stopped by section 14 "reflection of a psk handshake (Selfie)"
stopped by section 5 "Generations"

chapter "Eve does the same with fragments"
Eve: disorder Mei's fragments
stopped by section 3 "the channel's tag answers for content and order"

chapter "Nothing moved meanwhile"
expect books Mei 37.50 CNY, "Tea House" 12.50 CNY
issuer: audit
