using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RenderFarm.Jobs.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class WorkerEnrolment : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "given_name",
                table: "workers",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "revoked_at",
                table: "workers",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "worker_id",
                table: "api_keys",
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "worker_invitations",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: true),
                    hash = table.Column<string>(type: "TEXT", nullable: false),
                    uses_left = table.Column<int>(type: "INTEGER", nullable: false),
                    expires_at = table.Column<long>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_worker_invitations", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "ux_worker_invitations_hash",
                table: "worker_invitations",
                column: "hash",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "worker_invitations");

            migrationBuilder.DropColumn(
                name: "given_name",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "revoked_at",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "worker_id",
                table: "api_keys");
        }
    }
}
