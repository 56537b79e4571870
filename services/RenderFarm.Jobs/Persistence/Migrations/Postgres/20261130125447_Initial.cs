using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace RenderFarm.Jobs.Persistence.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "api_keys",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    hash = table.Column<string>(type: "text", nullable: false),
                    scopes = table.Column<int>(type: "integer", nullable: false),
                    priority_ceiling = table.Column<int>(type: "integer", nullable: false),
                    webhook_secret = table.Column<string>(type: "text", nullable: true),
                    virtual_time = table.Column<double>(type: "double precision", nullable: false),
                    max_queued = table.Column<int>(type: "integer", nullable: true),
                    max_running = table.Column<int>(type: "integer", nullable: true),
                    max_per_day = table.Column<int>(type: "integer", nullable: true),
                    requests_per_minute = table.Column<int>(type: "integer", nullable: true),
                    day = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    day_jobs = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    revoked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_api_keys", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "batches",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    key_id = table.Column<string>(type: "text", nullable: false),
                    total = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    cancelled_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    idempotency_key = table.Column<string>(type: "text", nullable: true),
                    request_hash = table.Column<string>(type: "text", nullable: true),
                    metadata = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_batches", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "events",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    position = table.Column<long>(type: "bigint", nullable: true),
                    job_id = table.Column<string>(type: "text", nullable: false),
                    key_id = table.Column<string>(type: "text", nullable: false),
                    model = table.Column<string>(type: "text", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    occurred_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_events", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "fair_clock",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    virtual_time = table.Column<double>(type: "double precision", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fair_clock", x => x.id);
                    table.CheckConstraint("ck_fair_clock_one", "id = 1");
                });

            migrationBuilder.CreateTable(
                name: "jobs",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    key_id = table.Column<string>(type: "text", nullable: false),
                    model = table.Column<string>(type: "text", nullable: false),
                    spec = table.Column<string>(type: "text", nullable: false),
                    inputs = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    stage = table.Column<string>(type: "text", nullable: false),
                    step = table.Column<int>(type: "integer", nullable: false),
                    steps = table.Column<int>(type: "integer", nullable: false),
                    best_step = table.Column<int>(type: "integer", nullable: false),
                    priority = table.Column<int>(type: "integer", nullable: false),
                    vram_class = table.Column<int>(type: "integer", nullable: false),
                    least_vram_bytes = table.Column<long>(type: "bigint", nullable: false),
                    estimated_seconds = table.Column<double>(type: "double precision", nullable: false),
                    start_tag = table.Column<double>(type: "double precision", nullable: false),
                    order_key = table.Column<double>(type: "double precision", nullable: false),
                    not_before = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    rung_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    fence = table.Column<long>(type: "bigint", nullable: false),
                    failures = table.Column<int>(type: "integer", nullable: false),
                    max_attempts = table.Column<int>(type: "integer", nullable: false),
                    step_downs = table.Column<int>(type: "integer", nullable: false),
                    deaths = table.Column<int>(type: "integer", nullable: false),
                    lease_worker_id = table.Column<string>(type: "text", nullable: true),
                    lease_slot_id = table.Column<string>(type: "text", nullable: true),
                    lease_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    cancel_requested_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    deleted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true),
                    warning = table.Column<string>(type: "text", nullable: true),
                    winning_fence = table.Column<long>(type: "bigint", nullable: true),
                    artifacts = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    queued_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    expires_after_seconds = table.Column<double>(type: "double precision", nullable: true),
                    idempotency_key = table.Column<string>(type: "text", nullable: true),
                    request_hash = table.Column<string>(type: "text", nullable: true),
                    batch_id = table.Column<string>(type: "text", nullable: true),
                    batch_line = table.Column<int>(type: "integer", nullable: true),
                    remixed_from_id = table.Column<string>(type: "text", nullable: true),
                    metadata = table.Column<string>(type: "text", nullable: true),
                    webhook_url = table.Column<string>(type: "text", nullable: true),
                    trace_parent = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_jobs", x => x.id);
                    table.CheckConstraint("ck_jobs_counts", "failures >= 0 AND failures <= max_attempts AND deaths >= 0 AND step_downs BETWEEN 0 AND 6 AND priority BETWEEN 0 AND 100");
                    table.CheckConstraint("ck_jobs_error", "(error_code IS NOT NULL) = (state = 'failed')");
                    table.CheckConstraint("ck_jobs_fenced", "fence >= 0 AND (fence > 0 OR NOT (state IN ('leased', 'rendering', 'uploading')))");
                    table.CheckConstraint("ck_jobs_finished", "(finished_at IS NOT NULL) = (state IN ('completed', 'cancelled', 'failed', 'expired'))");
                    table.CheckConstraint("ck_jobs_lease_slot", "(lease_slot_id IS NOT NULL) = (state IN ('leased', 'rendering', 'uploading'))");
                    table.CheckConstraint("ck_jobs_lease_until", "(lease_until IS NOT NULL) = (state IN ('leased', 'rendering', 'uploading'))");
                    table.CheckConstraint("ck_jobs_lease_worker", "(lease_worker_id IS NOT NULL) = (state IN ('leased', 'rendering', 'uploading'))");
                    table.CheckConstraint("ck_jobs_not_before", "not_before IS NULL OR state = 'queued'");
                    table.CheckConstraint("ck_jobs_result", "(winning_fence IS NOT NULL) = (state IN ('completed', 'expired'))");
                    table.CheckConstraint("ck_jobs_state", "state = 'queued' OR state IN ('leased', 'rendering', 'uploading') OR state IN ('completed', 'cancelled', 'failed', 'expired')");
                });

            migrationBuilder.CreateTable(
                name: "log_cursors",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    position = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_log_cursors", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "models",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    registration = table.Column<string>(type: "text", nullable: false),
                    first_seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_models", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "webhook_deliveries",
                columns: table => new
                {
                    event_id = table.Column<long>(type: "bigint", nullable: false),
                    job_id = table.Column<string>(type: "text", nullable: false),
                    key_id = table.Column<string>(type: "text", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    job_state = table.Column<string>(type: "text", nullable: false),
                    url = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    tries = table.Column<int>(type: "integer", nullable: false),
                    next_try_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    occurred_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    log = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhook_deliveries", x => x.event_id);
                    table.CheckConstraint("ck_webhook_deliveries_finished", "(finished_at IS NULL) = (state = 'pending')");
                });

            migrationBuilder.CreateTable(
                name: "workers",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    host = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<string>(type: "text", nullable: false),
                    slots = table.Column<string>(type: "text", nullable: false),
                    draining = table.Column<bool>(type: "boolean", nullable: false),
                    registered_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_workers", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "lease_records",
                columns: table => new
                {
                    job_id = table.Column<string>(type: "text", nullable: false),
                    fence = table.Column<long>(type: "bigint", nullable: false),
                    worker_id = table.Column<string>(type: "text", nullable: false),
                    slot_id = table.Column<string>(type: "text", nullable: false),
                    model = table.Column<string>(type: "text", nullable: false),
                    card = table.Column<string>(type: "text", nullable: false),
                    driver = table.Column<string>(type: "text", nullable: true),
                    worker_version = table.Column<string>(type: "text", nullable: false),
                    geometry = table.Column<string>(type: "text", nullable: true),
                    plan_kind = table.Column<string>(type: "text", nullable: true),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    step_downs = table.Column<int>(type: "integer", nullable: false),
                    leased_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    rendering_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    ending = table.Column<string>(type: "text", nullable: true),
                    reason = table.Column<string>(type: "text", nullable: true),
                    message = table.Column<string>(type: "text", nullable: true),
                    outcome_state = table.Column<string>(type: "text", nullable: true),
                    retry_after_seconds = table.Column<double>(type: "double precision", nullable: true),
                    plan = table.Column<string>(type: "text", nullable: true),
                    measurements = table.Column<string>(type: "text", nullable: true),
                    predicted_peak_bytes = table.Column<long>(type: "bigint", nullable: true),
                    peak_bytes = table.Column<long>(type: "bigint", nullable: true),
                    predicted_step_seconds = table.Column<double>(type: "double precision", nullable: true),
                    step_seconds = table.Column<double>(type: "double precision", nullable: true),
                    log_tail = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_lease_records", x => new { x.job_id, x.fence });
                    table.CheckConstraint("ck_lease_records_ended", "(ended_at IS NOT NULL) = (ending IS NOT NULL) AND (ending IS NOT NULL) = (outcome_state IS NOT NULL)");
                    table.ForeignKey(
                        name: "FK_lease_records_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "worker_models",
                columns: table => new
                {
                    worker_id = table.Column<string>(type: "text", nullable: false),
                    model_id = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_worker_models", x => new { x.worker_id, x.model_id });
                    table.ForeignKey(
                        name: "FK_worker_models_models_model_id",
                        column: x => x.model_id,
                        principalTable: "models",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "FK_worker_models_workers_worker_id",
                        column: x => x.worker_id,
                        principalTable: "workers",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ux_api_keys_hash",
                table: "api_keys",
                column: "hash",
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
                name: "ix_events_job",
                table: "events",
                columns: new[] { "job_id", "id" });

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
                name: "ix_jobs_batch",
                table: "jobs",
                columns: new[] { "batch_id", "batch_line" },
                filter: "batch_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_bell",
                table: "jobs",
                column: "rung_at",
                filter: "state = 'queued'");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_expiry",
                table: "jobs",
                column: "expires_at",
                filter: "state = 'completed'");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_held",
                table: "jobs",
                column: "id",
                filter: "state IN ('leased', 'rendering', 'uploading')");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_key",
                table: "jobs",
                columns: new[] { "key_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_jobs_open",
                table: "jobs",
                columns: new[] { "key_id", "state" },
                filter: "state IN ('queued', 'leased', 'rendering', 'uploading')");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_over",
                table: "jobs",
                column: "finished_at",
                filter: "state IN ('failed', 'cancelled', 'expired') OR deleted_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_queue",
                table: "jobs",
                columns: new[] { "model", "vram_class", "order_key" },
                filter: "state = 'queued'");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_request",
                table: "jobs",
                columns: new[] { "key_id", "request_hash" },
                filter: "request_hash IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_served",
                table: "jobs",
                column: "start_tag",
                filter: "fence > 0");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_turn",
                table: "jobs",
                columns: new[] { "model", "vram_class", "start_tag" },
                filter: "state = 'queued' AND fence = 0");

            migrationBuilder.CreateIndex(
                name: "ux_jobs_idempotency",
                table: "jobs",
                columns: new[] { "key_id", "idempotency_key" },
                unique: true,
                filter: "idempotency_key IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_lease_records_completed",
                table: "lease_records",
                column: "ended_at",
                filter: "ending = 'completed'");

            migrationBuilder.CreateIndex(
                name: "ix_lease_records_figures",
                table: "lease_records",
                columns: new[] { "model", "card", "leased_at" });

            migrationBuilder.CreateIndex(
                name: "ix_webhook_deliveries_due",
                table: "webhook_deliveries",
                column: "next_try_at",
                filter: "state = 'pending'");

            migrationBuilder.CreateIndex(
                name: "ix_webhook_deliveries_job",
                table: "webhook_deliveries",
                columns: new[] { "job_id", "event_id" });

            migrationBuilder.CreateIndex(
                name: "IX_worker_models_model_id",
                table: "worker_models",
                column: "model_id");

            migrationBuilder.CreateIndex(
                name: "ux_workers_name",
                table: "workers",
                column: "name",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "api_keys");

            migrationBuilder.DropTable(
                name: "batches");

            migrationBuilder.DropTable(
                name: "events");

            migrationBuilder.DropTable(
                name: "fair_clock");

            migrationBuilder.DropTable(
                name: "lease_records");

            migrationBuilder.DropTable(
                name: "log_cursors");

            migrationBuilder.DropTable(
                name: "webhook_deliveries");

            migrationBuilder.DropTable(
                name: "worker_models");

            migrationBuilder.DropTable(
                name: "jobs");

            migrationBuilder.DropTable(
                name: "models");

            migrationBuilder.DropTable(
                name: "workers");
        }
    }
}
