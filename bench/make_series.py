#!/usr/bin/env python3
"""Writes hourly series in the layout `long`: make_series.py SERIES STEPS > series.csv

Daily and weekly waves of different height with noise, each series from its own seed; the same arguments give the same
bytes.
"""
import datetime
import math
import random
import sys


def main():
    count, steps = int(sys.argv[1]), int(sys.argv[2])
    start = datetime.datetime(2020, 1, 1)
    times = [(start + datetime.timedelta(hours=t)).strftime("%Y-%m-%d %H:%M") for t in range(steps)]
    day = [math.sin(2 * math.pi * t / 24) for t in range(steps)]
    week = [math.cos(2 * math.pi * t / 168) for t in range(steps)]
    out = sys.stdout
    out.write("unique_id,ds,y\n")
    for k in range(count):
        r = random.Random(k)
        level, daily, weekly = r.uniform(20, 200), r.uniform(0.1, 0.4), r.uniform(0, 0.2)
        out.writelines(f"s{k},{times[t]},{level * (1 + daily * day[t] + weekly * week[t] + r.gauss(0, 0.05)):.2f}\n"
                       for t in range(steps))


main()
