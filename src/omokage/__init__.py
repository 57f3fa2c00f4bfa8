"""omokage"""
