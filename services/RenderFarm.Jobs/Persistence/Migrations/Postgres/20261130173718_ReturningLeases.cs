using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RenderFarm.Jobs.Persistence.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class ReturningLeases : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_jobs_bell",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "rung_at",
                table: "jobs");

            migrationBuilder.AddColumn<int>(
                name: "best_step_before",
                table: "lease_records",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "deaths_before",
                table: "lease_records",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "failures_before",
                table: "lease_records",
                type: "integer",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "sweep_passes",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    passed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_sweep_passes", x => x.name);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "sweep_passes");

            migrationBuilder.DropColumn(
                name: "best_step_before",
                table: "lease_records");

            migrationBuilder.DropColumn(
                name: "deaths_before",
                table: "lease_records");

            migrationBuilder.DropColumn(
                name: "failures_before",
                table: "lease_records");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "rung_at",
                table: "jobs",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_jobs_bell",
                table: "jobs",
                column: "rung_at",
                filter: "state = 'queued'");
        }
    }
}
