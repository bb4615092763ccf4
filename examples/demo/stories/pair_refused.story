title "Who says no while pairing, pairs nobody"
enter Mei with a band
Mei: pair by code and say no on the band
expect refused
connect
expect refused "not paired" tell "The phone had said yes, and keeps no link all the same: {}."
pair by code and say no on the phone
expect refused
connect
expect refused "not paired" tell "Likewise: {}."
pair in the window
expect refused tell "Each attempt used its window up. Another one needs another gesture: {}."
pair by code
connect
expect reconnected
