"""Sigma rule files to detections. Only here pySigma is known, and it is imported when a file is read.

Reading asks no pattern language: whether a detection can be compiled is not known here.
"""
