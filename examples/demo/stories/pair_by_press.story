title "Pairing by a press alone, which is worth little"
enter Bo with a band with a button and 50 CNY
Bo: pair by press
connect
expect reconnected
enrol
expect refused tell "A link for which nobody compared anything gets no credential: {}."

say "A band that can do better does not pair like that:"
enter Mei with a band and 50 CNY
Mei: pair by press
expect refused
pair by code
connect
expect reconnected tell "It pairs as it can."
