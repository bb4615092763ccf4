title "A phone is lost, and forgotten from another one"
enter Mei with a band and 50 CNY
Mei: set up
take a new phone
pair by code
connect
expect reconnected
unpair the others
press three times
say "Whoever has the old phone:"
take the other phone
connect
expect refused tell "The band does not know it: {}."
take the other phone
connect
expect reconnected tell "The new one is welcome."
