using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RenderFarm.Jobs.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class LeaseTokens : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "token",
                table: "lease_records",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "token",
                table: "jobs",
                type: "TEXT",
                nullable: true);

            // Leases of workers that know of no token: nobody can speak for them, and they run out
            migrationBuilder.Sql(
                """
                UPDATE jobs SET token = lower(hex(randomblob(16))) WHERE state IN ('leased', 'rendering', 'uploading')
                """);
            migrationBuilder.Sql(
                """
                UPDATE lease_records SET token = (
                    SELECT j.token FROM jobs j WHERE j.id = lease_records.job_id AND j.fence = lease_records.fence)
                """);

            migrationBuilder.AddCheckConstraint(
                name: "ck_jobs_token",
                table: "jobs",
                sql: "token IS NOT NULL OR NOT (state IN ('leased', 'rendering', 'uploading'))");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_jobs_token",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "token",
                table: "lease_records");

            migrationBuilder.DropColumn(
                name: "token",
                table: "jobs");
        }
    }
}
