"""SEQR's Payment API: messages, outcomes and the SOAP client."""
