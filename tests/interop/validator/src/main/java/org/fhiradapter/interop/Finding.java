package org.fhiradapter.interop;

/** One finding of the validator; {@code location} is a FHIRPath-like path and may be empty. */
record Finding(String location, String message) {}
