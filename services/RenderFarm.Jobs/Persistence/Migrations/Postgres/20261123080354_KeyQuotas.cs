using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RenderFarm.Jobs.Persistence.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class KeyQuotas : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "day",
                table: "api_keys",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "day_jobs",
                table: "api_keys",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "max_per_day",
                table: "api_keys",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "max_queued",
                table: "api_keys",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "max_running",
                table: "api_keys",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "requests_per_minute",
                table: "api_keys",
                type: "integer",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_jobs_open",
                table: "jobs",
                columns: new[] { "key_id", "state" },
                filter: "state IN ('queued', 'leased', 'rendering', 'uploading')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_jobs_open",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "day",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "day_jobs",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "max_per_day",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "max_queued",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "max_running",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "requests_per_minute",
                table: "api_keys");
        }
    }
}
