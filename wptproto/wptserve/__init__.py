"""wptserve's module layout: its names, by which programs and scripts written for it find ours."""
