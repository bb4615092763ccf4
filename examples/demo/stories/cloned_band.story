title "A copy of a band, keys and all, is found out when it pays"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
hang up
enter thief with a copy of Mei's things
Mei: connect
pay 8 CNY to "Tea House" for "a bun"
press
expect settled
thief: connect
put on
unlock
pay 9 CNY to "Tea House" for "cigarettes"
press
expect refused "cloned"
Mei: pay 5 CNY to "Tea House" for "a biscuit"
press
expect refused "frozen" tell "The money stays where it is: {}."
expect books Mei 42 CNY, "Tea House" 8 CNY
issuer: audit
