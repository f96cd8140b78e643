"""Recording with consent: gate, stems, render, manifest and its verification."""
