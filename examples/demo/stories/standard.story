# The story that `cargo demo` tells. `cargo demo --script-help` says how stories are written.

title "Armring: a wristband pays"
open "Tea House"
enter Mei with a band and 500 CNY
enter Lin with a band with a display and 200 CNY
say "Mei has 500.00 CNY, Lin has 200.00 CNY, and the Tea House is a certified payee. Both bands have the issuer's root key."

chapter "Mei pairs her band with her phone"
say "She holds the band's button: its pairing window is open for 60 s, for one attempt."
Mei: pair by code
say "Both stored a provisional link. The first reconnect makes it a real one:"
Mei: connect
expect reconnected tell "Linked. From now on each connection is authenticated with fresh keys, whatever the radio does."

chapter "The band enrols with the issuer, through a phone that cannot read it"
Mei: enrol
say "Lin's band has a display: his phone scans a secret that is shown once, and nobody compares digits."
Lin: pair by qr
expect done tell "Paired with the band whose display that was, and no other."
say "It enrols like Mei's (messages left out)."
hide messages
Lin: connect
Lin: enrol
show messages

chapter "Mei pays 12.50 CNY with a press"
say "She puts the band on and taps her pattern: it is unlocked until it leaves her wrist."
Mei: put on
Mei: unlock
Mei: pay 12.50 CNY to "Tea House" for "tea for two"
Mei: press
expect settled "key 1" tell "The receipt says: settled. The band tells it to her wrist."
expect books Mei 487.50 CNY, Lin 200 CNY, "Tea House" 12.50 CNY

chapter "80.00 CNY are above what a press alone pays"
Mei: pay 80 CNY to "Tea House" for "a tea set"
Mei: press
expect waiting "to be unlocked" tell "A press alone does nothing: the band asks again."
Mei: unlock
Mei: press
expect settled tell "She taps her pattern and presses: settled."
expect books Mei 407.50 CNY, Lin 200 CNY, "Tea House" 92.50 CNY

chapter "The link to Mei's band is lost while it waits for her press"
Mei: pay 6 CNY to "Tea House" for "dumplings"
Mei: cut the link
say "Her phone was out of reach for a moment, and nobody said goodbye. Two messages of 48 bytes, and it is back:"
Mei: connect
expect resumed tell "Resumed with a secret of the connection before, which nobody stores: two key agreements a side in place of five."
say "The payment goes on where it stopped: the same request, for which the band would give the same token."
Mei: go on
Mei: press
expect settled tell "She presses: settled, once."
expect books Mei 401.50 CNY, Lin 200 CNY, "Tea House" 98.50 CNY

chapter "Lin pays Mei 30.00 CNY: her band signs the request, his band signs the token"
Lin: put on
Lin: unlock
Mei: receive 30 CNY for "half of the dinner"
say "She presses it twice, which is another gesture than to pay."
Mei: press twice
say "Before Lin, somebody else finds the door of Mei's phone:"
make noise at Mei's phone
Lin: pay 30 CNY to Mei
Lin: press
expect settled
expect books Mei 431.50 CNY, Lin 170 CNY, "Tea House" 98.50 CNY

chapter "What the band refuses"
Mei: take off
Mei: pay 10 CNY to "Tea House" for "a scone"
expect refused "the band is not worn" tell "Off the wrist, 10.00 CNY: {}."
Mei: put on
Mei: unlock
Mei: pay 250 CNY to "Tea House" for "the whole cake"
expect refused "the amount is above the limit" tell "On the wrist, 250.00 CNY: {} of 200.00 CNY."
expect books Mei 431.50 CNY, Lin 170 CNY, "Tea House" 98.50 CNY

chapter "The shop has no network"
"Tea House": fetch the lists
expect done "0 revoked"
say "Before it goes, the shop has the issuer's keys and the list of who is revoked: nobody. Then it is gone."
"Tea House": go offline
Mei: pay 15 CNY to "Tea House" for "mooncakes"
Mei: press
expect pending tell "The shop verified token and credential by itself: {} are pending, which is not settled."
expect books Mei 431.50 CNY, Lin 170 CNY, "Tea House" 98.50 CNY
say "Later the network is back, and the shop redeems what it took:"
"Tea House": go online
"Tea House": redeem what is pending
expect done "1 redeemed, nothing is pending"
say "Mei's phone, which has the payment on disk, asks for the receipt when it comes by:"
Mei: go on
expect settled tell "Settled: the receipt is on her phone, and on her wrist."
expect books Mei 416.50 CNY, Lin 170 CNY, "Tea House" 113.50 CNY

chapter "The shop redeems the first token a second time"
"Tea House": redeem "tea for two" again
expect the receipt of "tea for two" tell "The same receipt, byte for byte, and no money moves."
expect books Mei 416.50 CNY, Lin 170 CNY, "Tea House" 113.50 CNY

chapter "A cup of the tea set is chipped: the shop gives 20.00 CNY of 80.00 CNY back"
"Tea House": refund 20 CNY of "a tea set"
expect settled tell "Settled, and {}."
"Tea House": refund "a tea set" again
expect the receipt of "the refund of a tea set" tell "Sent again: the same receipt, byte for byte, and no money moves."
"Tea House": refund 70 CNY of "a tea set"
expect refused tell "70.00 CNY more, at the same till, which signs nothing: {}."
"Tea House": refund 70 CNY of "a tea set" at another till
expect refused "more than is left" tell "At another till, which has not heard of the first: {}."
expect books Mei 436.50 CNY, Lin 170 CNY, "Tea House" 93.50 CNY

chapter "Lin loses his band"
issuer: replace Lin's band
say "The issuer revokes its credential and gives him a code for another band. The shop hears of it:"
"Tea House": fetch the lists
expect done "1 revoked" tell "Of the revocation list, it gets what came since the last one: {}."
say "Then the network is gone again, and Lin finds the old band in his coat:"
"Tea House": go offline
Lin: pay 7 CNY to "Tea House" for "noodles"
Lin: press
expect refused "revoked" tell "The shop, on its own: {}."
"Tea House": go online
say "He enrols a new band on the same account (messages left out)."
hide messages
Lin: take a new band with a display
Lin: pair by qr
Lin: connect
Lin: enrol
Lin: put on
Lin: unlock
show messages
expect books Mei 436.50 CNY, Lin 170 CNY, "Tea House" 93.50 CNY
Lin: pay 7 CNY to "Tea House" for "noodles, warm again"
Lin: press
expect settled tell "The money was never in the band: he pays with the new one."
expect books Mei 436.50 CNY, Lin 163 CNY, "Tea House" 100.50 CNY

chapter "The issuer's keys grow old"
issuer: announce new keys
say "It publishes key list 2: a new signing key beside the old one, and a new enrolment key. Everybody takes it:"
Mei: update the keys
expect done "key list 2" tell "Mei's phone and band have {}."
Lin: update the keys
expect done "key list 2" tell "Lin's phone and band have {}."
"Tea House": fetch the lists
expect done "key list 2" tell "The shop has it."
Mei: tell the first keys
expect refused tell "Somebody hands Mei's band the old list: {}."
issuer: use the new keys
say "From now on the new key signs."
Mei: pay 5.50 CNY to "Tea House" for "soy milk"
Mei: press
expect settled "key 3" tell "The receipt is {}; that of the first payment by key 1."
Mei: check the receipts
expect done tell "All {} with the new list."
expect books Mei 431 CNY, Lin 163 CNY, "Tea House" 106 CNY

chapter "Ana has no band: her phone is its own"
enter Ana with a phone alone and 100 CNY
say "The same code runs inside of her app, with a link of its own to the wallet beside it, and nothing of that on air."
Ana: pair inside
Ana: enrol
Ana: pay 9 CNY to "Tea House" for "bubble tea"
expect refused "the band is locked" tell "Before the phone has recognised her finger: locked."
Ana: unlock
Ana: go on
Ana: press
expect settled tell "Her finger again, for this payment: settled. To the shop and to the issuer she is a wearer like any other."
expect books Mei 431 CNY, Lin 163 CNY, "Tea House" 115 CNY, Ana 91 CNY

chapter "Noise on every other door"
make noise at the issuer
make noise at "Tea House"
make noise at Mei's band
expect books Mei 431 CNY, Lin 163 CNY, "Tea House" 115 CNY, Ana 91 CNY
Mei: connect
expect reconnected tell "Mei's phone reconnects to her band."

chapter "A thief copies Mei's band and phone, keys and all"
Mei: hang up
enter thief with a copy of Mei's things
say "Mei goes on with her day and pays 8.00 CNY:"
Mei: connect
Mei: pay 8 CNY to "Tea House" for "a bun"
Mei: press
expect settled tell "Settled."
say "The thief pays 9.00 CNY with the copy, which signs with the same key and the same next counter:"
thief: connect
thief: put on
thief: unlock
thief: pay 9 CNY to "Tea House" for "cigarettes"
thief: press
expect refused "cloned" tell "The copy's receipt: {}."
Mei: pay 5 CNY to "Tea House" for "a biscuit"
Mei: press
expect refused "frozen" tell "Mei's own band from now on: {}. She enrols anew; her account stays."
"Tea House": fetch the lists
expect done "revocation list 2, 2 revoked" tell "The shop, which has revocation list 1, gets what came since: one more credential that it refuses by itself."
expect books Mei 423 CNY, Lin 163 CNY, "Tea House" 123 CNY, Ana 91 CNY

chapter "The issuer audits its ledger"
issuer: audit
