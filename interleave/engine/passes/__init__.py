"""What is asked of a whole state graph when its search is over, one file for each pass.

`endings` and `counting`: how paths end, and how many there are. `stuck` and `livelock`: who never
moves again, and who gets nowhere. `shortest`: the best ways to what was found. `components` and
`backwards` are algorithms that these share. A pass is a function of a graph (`base`).
"""
