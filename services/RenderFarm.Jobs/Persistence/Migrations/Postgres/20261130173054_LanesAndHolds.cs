using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RenderFarm.Jobs.Persistence.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class LanesAndHolds : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_webhook_deliveries_due",
                table: "webhook_deliveries");

            migrationBuilder.AddColumn<string>(
                name: "host",
                table: "webhook_deliveries",
                type: "text",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "held_until",
                table: "log_cursors",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "holder",
                table: "log_cursors",
                type: "text",
                nullable: true);

            // As SqlDialect.HostOf has it for new ones
            migrationBuilder.Sql("""
                UPDATE webhook_deliveries SET host = lower(COALESCE(substring(url from '^[^:]+://([^/?#]+)'), ''))
                """);

            migrationBuilder.CreateIndex(
                name: "ix_webhook_deliveries_lane",
                table: "webhook_deliveries",
                columns: new[] { "key_id", "host", "next_try_at" },
                filter: "state = 'pending'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_webhook_deliveries_lane",
                table: "webhook_deliveries");

            migrationBuilder.DropColumn(
                name: "host",
                table: "webhook_deliveries");

            migrationBuilder.DropColumn(
                name: "held_until",
                table: "log_cursors");

            migrationBuilder.DropColumn(
                name: "holder",
                table: "log_cursors");

            migrationBuilder.CreateIndex(
                name: "ix_webhook_deliveries_due",
                table: "webhook_deliveries",
                column: "next_try_at",
                filter: "state = 'pending'");
        }
    }
}
