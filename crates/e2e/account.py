#!/usr/bin/env python3
"""Prints the account that `cartwright replay FILE --stock ample` must end with.

It reads the CSV alone and shares no code with the shop, so that two programs
have to agree. The rules:

1. The file is CSV in ISO-8859-1. A stock code, trimmed and upper-cased, is the
   SKU. Only a SKU that begins with a digit is stock-tracked.
2. An invoice of digits only is a sale: its lines with quantity > 0 and
   price > 0 are one order; without such a line it is no order.
3. Its lines with quantity < 0 or price = 0 correct the stock when the SKU is
   tracked, and are ignored when it is not.
4. An invoice that begins with C is a cancellation: each line with quantity < 0
   is matched with confirmed orders of the same customer, SKU and price, latest
   first, each order line only up to what has not come back yet.
5. Anything else is malformed: a wrong number of columns; an empty invoice,
   code, quantity, date or price; a quantity that is no whole number, 0, or
   beyond a million either way; a price that is no decimal number from 0 on
   with at most two places; a date that is none; a code or customer that is not
   1 to 64 printable ASCII characters; any other invoice number.

With ample stock and a good card every order is confirmed, so the file alone
decides what the account is. `seconds` and `orders_per_second` are left out.
"""

import csv
import datetime
import json
import re
import sys

COLUMNS = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]


def is_name(text):
    return 1 <= len(text) <= 64 and all(" " <= character <= "~" for character in text)


def pence(text):
    match = re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?", text)
    if not match:
        return None
    fraction = (match[2] or "").rstrip("0")
    if len(fraction) > 2:
        return None
    amount = int(match[1]) * 100 + int(fraction.ljust(2, "0"))
    return amount if amount < 2**63 else None


def understand(row):
    """The line as (invoice, sku, quantity, date, price, customer), or None."""
    if len(row) != len(COLUMNS):
        return None
    invoice, code, _, quantity, date, price, customer, _ = (field.strip() for field in row)
    sku, price = code.upper(), pence(price)
    try:
        date = datetime.datetime.strptime(date, "%d/%m/%Y %H:%M")
    except ValueError:
        return None
    if not re.fullmatch(r"[0-9]+|C.*", invoice) or not is_name(code) or price is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,18}", quantity) or not 1 <= abs(int(quantity)) <= 1_000_000:
        return None
    if customer and not is_name(customer):
        return None
    if invoice.startswith("C") and int(quantity) > 0:
        return None
    return invoice, sku, int(quantity), date, price, customer


def account(rows):
    lines = dict.fromkeys(["read", "ordered", "corrections", "returned", "unmatched", "ignored", "malformed"], 0)
    codes, skus, orders, cancelled = set(), set(), {}, []
    confirmed = 0
    for row in rows:
        lines["read"] += 1
        line = understand(row)
        if line is None:
            lines["malformed"] += 1
            continue
        invoice, sku, quantity, date, price, customer = line
        codes.add(row[1].strip())
        skus.add(sku)
        if invoice.startswith("C"):
            cancelled.append((customer, sku, price, -quantity))
        elif quantity > 0 and price > 0:
            order = orders.setdefault(invoice, {"date": date, "nth": len(orders), "customer": customer, "lines": []})
            order["lines"].append([sku, price, quantity])
            lines["ordered"] += 1
            confirmed += quantity * price
        elif sku[0] in "0123456789":
            lines["corrections"] += 1
        else:
            lines["ignored"] += 1

    latest_first = sorted(orders.values(), key=lambda order: (order["date"], order["nth"]), reverse=True)
    refunded = units_unmatched = 0
    for customer, sku, price, wanted in cancelled:
        found = 0
        for order in latest_first:
            if not customer or order["customer"] != customer:
                continue
            for left in order["lines"]:
                if left[0] == sku and left[1] == price:
                    part = min(left[2], wanted - found)
                    left[2] -= part
                    found += part
        lines["returned" if found else "unmatched"] += 1
        refunded += found * price
        units_unmatched += wanted - found

    return {
        "lines": lines,
        "orders": {"sent": len(orders), "confirmed": len(orders), "rejected": 0, "other": 0},
        "money": {"currency": "GBP", "confirmed_minor": confirmed, "refunded_minor": refunded},
        "units_unmatched": units_unmatched,
        "skus": len(skus),
        "merged_codes": len(codes) - len(skus),
        "audit_violations": 0,
    }


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: account.py FILE.csv")
    with open(sys.argv[1], encoding="iso-8859-1", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, None)
        if header != COLUMNS:
            sys.exit(f"the first line must be {','.join(COLUMNS)}")
        print(json.dumps(account(row for row in rows if row), indent=2))


if __name__ == "__main__":
    main()
