using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RenderFarm.Jobs.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Doors : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_events_unpublished",
                table: "events");

            migrationBuilder.RenameColumn(
                name: "published_at",
                table: "events",
                newName: "position");

            migrationBuilder.AddColumn<int>(
                name: "batch_line",
                table: "jobs",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "webhook_secret",
                table: "api_keys",
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "batches",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    key_id = table.Column<string>(type: "TEXT", nullable: false),
                    total = table.Column<int>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    cancelled_at = table.Column<long>(type: "INTEGER", nullable: true),
                    idempotency_key = table.Column<string>(type: "TEXT", nullable: true),
                    request_hash = table.Column<string>(type: "TEXT", nullable: true),
                    metadata = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_batches", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "log_cursors",
                columns: table => new
                {
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    position = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_log_cursors", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "webhook_deliveries",
                columns: table => new
                {
                    event_id = table.Column<long>(type: "INTEGER", nullable: false),
                    job_id = table.Column<string>(type: "TEXT", nullable: false),
                    key_id = table.Column<string>(type: "TEXT", nullable: false),
                    type = table.Column<string>(type: "TEXT", nullable: false),
                    job_state = table.Column<string>(type: "TEXT", nullable: false),
                    url = table.Column<string>(type: "TEXT", nullable: false),
                    state = table.Column<string>(type: "TEXT", nullable: false),
                    tries = table.Column<int>(type: "INTEGER", nullable: false),
                    next_try_at = table.Column<long>(type: "INTEGER", nullable: false),
                    occurred_at = table.Column<long>(type: "INTEGER", nullable: false),
                    finished_at = table.Column<long>(type: "INTEGER", nullable: true),
                    log = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhook_deliveries", x => x.event_id);
                    table.CheckConstraint("ck_webhook_deliveries_finished", "(finished_at IS NULL) = (state = 'pending')");
                });

            migrationBuilder.CreateIndex(
                name: "ix_lease_records_completed",
                table: "lease_records",
                column: "ended_at",
                filter: "ending = 'completed'");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_batch",
                table: "jobs",
                columns: new[] { "batch_id", "batch_line" },
                filter: "batch_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_events_key",
                table: "events",
                columns: new[] { "key_id", "position" });

            migrationBuilder.CreateIndex(
                name: "ix_events_unplaced",
                table: "events",
                column: "id",
                filter: "position IS NULL");

            migrationBuilder.CreateIndex(
                name: "ux_events_position",
                table: "events",
                column: "position",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_batches_request",
                table: "batches",
                columns: new[] { "key_id", "request_hash" },
                filter: "request_hash IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ux_batches_idempotency",
                table: "batches",
                columns: new[] { "key_id", "idempotency_key" },
                unique: true,
                filter: "idempotency_key IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_webhook_deliveries_due",
                table: "webhook_deliveries",
                column: "next_try_at",
                filter: "state = 'pending'");

            migrationBuilder.CreateIndex(
                name: "ix_webhook_deliveries_job",
                table: "webhook_deliveries",
                columns: new[] { "job_id", "event_id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "batches");

            migrationBuilder.DropTable(
                name: "log_cursors");

            migrationBuilder.DropTable(
                name: "webhook_deliveries");

            migrationBuilder.DropIndex(
                name: "ix_lease_records_completed",
                table: "lease_records");

            migrationBuilder.DropIndex(
                name: "ix_jobs_batch",
                table: "jobs");

            migrationBuilder.DropIndex(
                name: "ix_events_key",
                table: "events");

            migrationBuilder.DropIndex(
                name: "ix_events_unplaced",
                table: "events");

            migrationBuilder.DropIndex(
                name: "ux_events_position",
                table: "events");

            migrationBuilder.DropColumn(
                name: "batch_line",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "webhook_secret",
                table: "api_keys");

            migrationBuilder.RenameColumn(
                name: "position",
                table: "events",
                newName: "published_at");

            migrationBuilder.CreateIndex(
                name: "ix_events_unpublished",
                table: "events",
                column: "id",
                filter: "published_at IS NULL");
        }
    }
}
