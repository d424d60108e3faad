"""The catalogue and the stock."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from orchestrator.models.fields import fixed as _fixed
from orchestrator.models.fields import moment as _moment


class Product(SQLModel, table=True):
    """Something for sale. A bundle is a product with parts; its stock is that of its parts."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("on_hand >= 0", name="products_on_hand_not_negative"),
        CheckConstraint("reserved >= 0", name="products_reserved_not_negative"),
    )

    token: str = Field(primary_key=True, max_length=64)
    title: str = Field(max_length=200)
    price: Decimal = _fixed()
    currency: str = Field(max_length=3)
    tax_rate: Decimal = _fixed()
    sku: str | None = Field(default=None, max_length=64)
    ean: str | None = Field(default=None, max_length=14)
    for_sale: bool = True
    on_hand: int = 0
    reserved: int = 0
    revision: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    """Counts the edits of what people write: title, price, parts. Stock moves do not raise it."""
    created_at: datetime = _moment()
    updated_at: datetime = _moment()


class BundlePart(SQLModel, table=True):
    """How many of a product one bundle contains."""

    __tablename__ = "bundle_parts"
    __table_args__ = (CheckConstraint("quantity > 0", name="bundle_parts_quantity_positive"),)

    bundle_token: str = Field(primary_key=True, foreign_key="products.token", max_length=64)
    part_token: str = Field(primary_key=True, foreign_key="products.token", max_length=64, index=True)
    position: int
    quantity: int


class StockMovement(SQLModel, table=True):
    """One change of a product's stock; rows are only ever added.

    ``on_hand`` and ``reserved`` are the changes. A purchase moves each product once for each ``kind`` and
    ``round`` (how often it has been held), which the database enforces.
    """

    __tablename__ = "stock_movements"
    __table_args__ = (
        UniqueConstraint("purchase_id", "product_token", "kind", "round", name="stock_movements_once"),
        Index("stock_movements_of_product", "product_token", "id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    product_token: str = Field(foreign_key="products.token", max_length=64)
    purchase_id: str | None = Field(default=None, max_length=36)
    round: int = 0
    at: datetime = _moment()
    kind: str = Field(max_length=16)
    on_hand: int
    reserved: int
    reason: str = Field(max_length=200)
    actor: str = Field(max_length=100)
