"""What the façade answers: frozen values with names for everything, ids as Oid, paths as str (surrogates keep any
bytes).
"""
