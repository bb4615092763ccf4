title "Pairing by a secret that the band's display shows once"
open "Tea House"
enter Lin with a band with a display and 50 CNY
Lin: pair by qr
connect
expect reconnected
enrol
put on
unlock
pay 5 CNY to "Tea House" for "tea"
expect waiting "Tea House" tell "The display says to whom: {}."
press
expect settled
