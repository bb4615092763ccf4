title "The pairing window is open for a minute, and for one attempt"
enter Mei with a band
Mei: pair in the window
expect refused tell "Nobody held the button: {}."
hold
wait 61 s
pair in the window
expect refused tell "It was held more than a minute ago: {}."
hold
wait 50 s
pair in the window
connect
expect reconnected tell "It was held less than a minute ago, and they are paired."
hang up
pair in the window
expect refused tell "Whoever comes now comes too late, since the window was for one: {}."
connect
expect reconnected tell "The link from before is as good as ever."
