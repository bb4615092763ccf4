title "A phone that is its own band"
open "Tea House"
enter Ana with a phone alone and 100 CNY
Ana: pair inside
enrol
pay 9 CNY to "Tea House" for "bubble tea"
expect refused "locked"
unlock
go on
press
expect settled
expect books Ana 91 CNY, "Tea House" 9 CNY

say "Its link and its credential are on its disk:"
kill the phone
start the phone
connect
expect reconnected
pay 1 CNY to "Tea House" for "a straw"
expect refused "locked"
unlock
go on
press
expect settled
