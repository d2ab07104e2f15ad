#!/usr/bin/env python3
"""Places, cancels and refunds orders with nothing but gRPC reflection.

No generated code: the messages are made from what the services say about
themselves. Needs `pip install grpcio grpcio-reflection`, the shop (`make up`), and
in CARTWRIGHT_TOKEN a token of staff, since customers do not refund:

    CARTWRIGHT_TOKEN=$(.run/bin/cartwright token) python3 examples/python/order.py
"""

import os
import sys
import time
import uuid

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)


class Service:
    """A service whose methods are called by name, with dicts."""

    def __init__(self, address, name, token=None):
        self.token = token
        self.channel = grpc.insecure_channel(address)
        pool = DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))
        self.descriptor = pool.FindServiceByName(name)

    def call(self, method, request, key=None):
        method = self.descriptor.FindMethodByName(method)
        request_class = message_factory.GetMessageClass(method.input_type)
        response_class = message_factory.GetMessageClass(method.output_type)
        rpc = self.channel.unary_unary(
            f"/{self.descriptor.full_name}/{method.name}",
            request_serializer=request_class.SerializeToString,
            response_deserializer=response_class.FromString,
        )
        metadata = [("idempotency-key", key)] if key else []
        if self.token:
            metadata.append(("authorization", f"Bearer {self.token}"))
        message = json_format.ParseDict(request, request_class())
        response = rpc(message, metadata=metadata, timeout=15)
        return json_format.MessageToDict(response, preserving_proto_field_name=True)


def wait_until(orders, order_id, done):
    for _ in range(100):
        order = orders.call("GetOrder", {"order_id": order_id})["order"]
        if done(order):
            return order
        time.sleep(0.1)
    sys.exit(f"order {order_id} is stuck: {order}")


def main():
    address = os.environ.get("CARTWRIGHT_ORDER_ADDRESS", "127.0.0.1:50051")
    token = os.environ.get("CARTWRIGHT_TOKEN")
    orders = Service(address, "cartwright.order.v1.OrderService", token)
    new_order = {
        "customer_id": "ada",
        "currency_code": "GBP",
        "lines": [{"sku": "MUG-BLUE", "quantity": 2}],
        "payment_method": "pm_card_visa",
    }

    key = str(uuid.uuid4())
    order = orders.call("CreateOrder", new_order, key)["order"]
    again = orders.call("CreateOrder", new_order, key)["order"]
    assert again == order, "the same key gives the same answer"
    print(f"placed     {order['id']}  {order['state']}  {order['total']}")

    order_id = order["id"]
    orders.call("CancelOrder", {"order_id": order_id, "reason": "changed my mind"}, str(uuid.uuid4()))
    order = wait_until(orders, order_id, lambda o: o["state"] == "ORDER_STATE_CANCELLED")
    print(f"cancelled  {order['id']}  {order['state']}  {order['payment_state']}")

    order = orders.call("CreateOrder", new_order, str(uuid.uuid4()))["order"]
    order_id = order["id"]
    wait_until(orders, order_id, lambda o: "minor_units" in o.get("captured", {}))
    refund = {
        "order_id": order_id,
        "amount": {"minor_units": 500, "currency_code": "GBP"},
        "reason": "a scratch",
    }
    refunded = orders.call("RefundOrder", refund, str(uuid.uuid4()))
    print(f"refunded   {order_id}  {refunded['amount']}  {refunded['order']['payment_state']}")

    try:
        orders.call("CreateOrder", {**new_order, "lines": [{"sku": "MUG-BLUE", "quantity": -1}]}, "x")
    except grpc.RpcError as error:
        print(f"refused    {error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()
