using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RenderFarm.Jobs.Persistence.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class SlotRecords : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "files",
                table: "worker_models",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "is_whole",
                table: "worker_models",
                type: "boolean",
                nullable: false,
                defaultValue: true);

            migrationBuilder.AddColumn<string>(
                name: "avoid_slot_id",
                table: "jobs",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "avoid_until",
                table: "jobs",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "avoid_worker_id",
                table: "jobs",
                type: "text",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "slot_failures",
                columns: table => new
                {
                    worker_id = table.Column<string>(type: "text", nullable: false),
                    slot_id = table.Column<string>(type: "text", nullable: false),
                    job_id = table.Column<string>(type: "text", nullable: false),
                    failed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    elsewhere = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_slot_failures", x => new { x.worker_id, x.slot_id, x.job_id });
                    table.ForeignKey(
                        name: "FK_slot_failures_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "FK_slot_failures_workers_worker_id",
                        column: x => x.worker_id,
                        principalTable: "workers",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "slot_quarantines",
                columns: table => new
                {
                    worker_id = table.Column<string>(type: "text", nullable: false),
                    slot_id = table.Column<string>(type: "text", nullable: false),
                    by = table.Column<string>(type: "text", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: false),
                    since = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    resume = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_slot_quarantines", x => new { x.worker_id, x.slot_id, x.by });
                    table.ForeignKey(
                        name: "FK_slot_quarantines_workers_worker_id",
                        column: x => x.worker_id,
                        principalTable: "workers",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_slot_failures_job",
                table: "slot_failures",
                column: "job_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "slot_failures");

            migrationBuilder.DropTable(
                name: "slot_quarantines");

            migrationBuilder.DropColumn(
                name: "files",
                table: "worker_models");

            migrationBuilder.DropColumn(
                name: "is_whole",
                table: "worker_models");

            migrationBuilder.DropColumn(
                name: "avoid_slot_id",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "avoid_until",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "avoid_worker_id",
                table: "jobs");
        }
    }
}
