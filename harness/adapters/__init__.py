"""
Who is tested: registrations, the files and packages they stand in, and the instances that are made of them.
"""
